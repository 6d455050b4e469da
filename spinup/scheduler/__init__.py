"""What has to run, which run starts when, and when the grid has ended."""
