"""What a camera does to a plate: small functions on (H, W, 3) uint8 RGB pictures, and recipes that chain them."""
