"""The native provider, for `pulumi package add <this folder>`: the engine runs this file with its address.

`requirements.txt` brings the package, which has the provider.
"""

from ami_deprecation.doors.native.server import main

main()
