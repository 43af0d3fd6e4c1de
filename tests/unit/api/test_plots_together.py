"""The first plots of a server are asked for at once, by a browser that loads a page."""

from __future__ import annotations

import subprocess
import sys

FIRST_PLOTS = """
import sys, threading
from voltwin.api.battery.plots import self_discharge_by_age
from voltwin.api.web.plots import Style, finish_plot, start_plot

assert "matplotlib" not in sys.modules
sys.setswitchinterval(1e-5)
together, drawn = threading.Barrier(8), []

def draw(number):
    together.wait()
    # Two kinds of plots, which begin with different modules of matplotlib.
    if number % 2:
        drawn.append(self_discharge_by_age([], Style("svg")))
    else:
        drawn.append(finish_plot(start_plot(Style("svg"), "first")[0], Style("svg")))

threads = [threading.Thread(target=draw, args=[number]) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(drawn) == 8 and len(set(drawn)) == 2, len(drawn)
"""


def test_the_first_plots_are_drawn_by_many_threads_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_PLOTS], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
