"""Bridges: how data arrives. They know HTTP and the pipeline, and nothing of Redis."""
