"""The fitting procedure: from a data set and a source to a finished run."""
