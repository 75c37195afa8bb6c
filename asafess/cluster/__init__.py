"""Thin adapters to distributed: plugins, preload, configuration."""
