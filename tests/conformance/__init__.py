"""What every backend has to get right: a family of small networks, compared spike by spike."""
