"""Text queries: bound to the words of columns, and looked for by text indexes or in the texts themselves."""
