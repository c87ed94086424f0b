"""Input and output shapes of the programs' doors to governance."""
