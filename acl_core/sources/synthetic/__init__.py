"""Synthetic Korean licence plates, for a first run without any real data.

From facts to pictures, one file a step::

    layout    what a plate type looks like: sizes, boxes, colours, letters      korean_plates.json
    texts     which strings the plates bear, and on which side of the split
    hand      the plates' own monoline lettering                                hand.json
    lettering characters as masks, in that hand or in a font                    fonts/
    canvas    drawing in millimetres
    surface   rim, bolts, dirt, plate holder, car
    plate     a flat plate, seen from the front in even light
    view      where the camera stands: the map from millimetres to pixels
    camera    light, lens and sensor
    generate  all of it in order, by several processes, the same for the same seed

No picture of a real plate is in here; real ones were only looked at.
"""
