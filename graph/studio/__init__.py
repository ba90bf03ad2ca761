"""What each mutation takes and answers, noun by noun; what it does is in `resolvers`."""
