"""headstart gives a model a head start: transfer learning with evidence."""
