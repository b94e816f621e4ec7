"""Typed configuration: YAML file, environment overrides, errors that name the key."""

from millrace.config.section import Section

__all__ = ["Section"]
