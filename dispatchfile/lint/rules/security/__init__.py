"""DF6xx: images that move, secrets in the open, and other people's text in a shell."""
