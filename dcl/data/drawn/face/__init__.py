"""How SynthFaces are drawn: the parts, and from strengths of attributes to images."""
