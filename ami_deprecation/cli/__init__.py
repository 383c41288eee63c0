"""The command line (extra ``[cli]``): one file a command, and the folders ``report`` and ``comment``.

``app`` puts the commands together. A command's function takes click's values and calls out; the modules that
decide or format are pure.
"""
