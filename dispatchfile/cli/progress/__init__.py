"""How a run is shown: a live view on a terminal, plain lines elsewhere, JSON for programs."""
