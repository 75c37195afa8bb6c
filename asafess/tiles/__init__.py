"""Tiled matrices whose tiles are dense or sparse, and the door through which they leave a worker."""
