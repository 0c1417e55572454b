"""What assets use: everything that touches the outside world. Resources never import assets."""
