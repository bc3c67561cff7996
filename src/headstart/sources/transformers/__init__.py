"""Networks around models of transformers: encoders of images, texts and audio, and how their folders are read."""
