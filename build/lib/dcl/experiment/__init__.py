"""From one configuration to one small record."""
