"""Draws growth.svg: points as JSON on standard input, the file as the argument. Runs in the peers' environment."""

import json
import sys

from matplotlib import pyplot as plt

plt.switch_backend("svg")
plt.rcParams["svg.hashsalt"] = "ami-deprecation"  # the same numbers give the same file
plt.rcParams["svg.fonttype"] = "none"

points = json.load(sys.stdin)
figure, (seconds, calls) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for command in dict.fromkeys(point["command"] for point in points):
    of = [point for point in points if point["command"] == command]
    sizes = [point["images"] for point in of]
    seconds.plot(sizes, [point["seconds"] for point in of], marker="o", label=f"{command}")
    calls.plot(sizes, [point["reads"] for point in of], marker="o", label=f"{command}: DescribeImages")
of = [point for point in points if point["command"] == "up"]
calls.plot(
    [point["images"] for point in of],
    [point["changes"] for point in of],
    marker="s",
    linestyle="--",
    color="black",
    label="up: changing calls",
)
seconds.set(title="Seconds above a provider that does nothing", xlabel="images", ylim=(0, None))
calls.set(title="Calls", xlabel="images", yscale="symlog", ylim=(0, None))
for axes in (seconds, calls):
    axes.legend(frameon=False, fontsize="small")
    axes.grid(alpha=0.3)
figure.savefig(sys.argv[1], metadata={"Date": None, "Creator": None})
