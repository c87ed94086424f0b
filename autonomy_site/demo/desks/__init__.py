"""The desks of the demo: four workflows from templates with their units, agents, rules, data and answers."""
