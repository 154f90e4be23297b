# The plate reader that the demo updates. Nothing of Backstay depends on it, and it depends on lib/ only.
MODULES += manifests/examples/ocr
OCR     := manifests/examples/ocr

PROGRAMS += ocr-plates
ocr-plates_MAIN := $(OCR)/plates_main.c

# Asked once, and only when something is to be built, as the Makefile does.
OCR_CFLAGS = $(eval OCR_CFLAGS := $$(shell pkg-config --cflags lept freetype2))$(OCR_CFLAGS)
OCR_DRAW   = $(eval OCR_DRAW := $$(shell pkg-config --libs lept freetype2))$(OCR_DRAW)

$(OCR)_CFLAGS    = $(OCR_CFLAGS)
ocr-plates_LIBS  = $(OCR_DRAW)
