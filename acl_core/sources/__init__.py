"""Where plates come from: drawn by a layout, or read from other tools' folders."""
