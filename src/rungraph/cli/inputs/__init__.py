"""What commands take: files, revisions, recordings, options."""
