"""Training of the networks, and their export into models/."""
