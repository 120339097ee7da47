"""Getting files from a proxy list: which proxy next, when to rest one, when to race one; what Go alone would meet."""
