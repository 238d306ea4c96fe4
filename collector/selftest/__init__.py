"""The self-test: marked events through the public door of an installation, and back out of its stream."""
