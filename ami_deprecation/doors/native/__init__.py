"""The native provider ``ami-deprecation``: Pulumi's provider protocol for every language, on the same core.

Source: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto
"""
