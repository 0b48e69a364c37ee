"""Skills mined from recorded sessions ("lore"), as SpecStory's clients ask for them, and what a user is entitled to.

This server mines no skills yet: its lists are empty and say so truthfully, and a run is refused as switched off.
"""
