"""What is produced: the asset graph and the logic of each of its stages."""
