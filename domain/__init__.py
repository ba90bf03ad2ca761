"""What is true: pure rules of Casset. No I/O, no clock, no database; time, randomness and ids arrive as arguments."""
