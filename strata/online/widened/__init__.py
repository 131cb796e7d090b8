"""Parts of a release for more items than it was made of: what was learned is shared, what came since stands beside it.

Nothing of a release is changed in place, and nothing large is copied but the vectors of the interest space.
"""
