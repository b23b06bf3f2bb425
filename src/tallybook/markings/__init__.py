"""Who may read something: markings as a lattice, the schemes that name them, and the clearances that they are held against."""
