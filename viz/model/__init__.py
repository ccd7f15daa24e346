"""What is drawn of a graph, without sizes or formats."""
