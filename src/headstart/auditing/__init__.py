"""The audit procedure: how much transfer helps, over the number of labels, against doing without it."""
