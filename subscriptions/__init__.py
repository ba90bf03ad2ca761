"""What happened: the events a write announces, as values. Transport and storage live elsewhere."""
