"""From a displaced head to a picture: rasterizer, flow, light, mouth, blending."""
