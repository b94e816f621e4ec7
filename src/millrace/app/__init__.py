"""The whole: root of the configuration, and everything it describes, built and run."""
