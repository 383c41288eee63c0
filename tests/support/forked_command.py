"""What a fork runs for `python -m ami_deprecation`."""

from ami_deprecation.__main__ import main

main()
