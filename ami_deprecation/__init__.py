"""Deprecation dates of Amazon Machine Images as Pulumi resources."""
