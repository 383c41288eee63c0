"""The ready-to-use project: configuration in, resources out. No code to write.

config:
  aws:region: eu-west-1
  ami-deprecation:images:
    web:
      imageId: ami-0123456789abcdef0
      deprecateAt: "2027-06-01"
  ami-deprecation:policies:
    base:
      name: base-*
      keepNewest: 3
      graceDays: 30
"""

from ami_deprecation import declare_from_config

declare_from_config()
