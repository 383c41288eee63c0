"""The command line, on the ``[cli]`` extra: one file a verb, and pure modules behind them.

``report``, ``comment``, ``adopt`` and ``iam-policy`` are the verbs; ``app`` puts them together. A verb's
function takes click's values and calls out; what it decides or writes stands in modules without either.
"""
