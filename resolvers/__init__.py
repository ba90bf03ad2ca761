"""What can be done: one async function per mutation or job, free of GraphQL, HTTP and SQL."""
