"""Words of governance in templates."""
