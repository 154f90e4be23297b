# The plate reader that the demo updates. Nothing of Backstay depends on it, and it depends on lib/ and proto/wire only.
MODULES += manifests/examples/ocr
OCR     := manifests/examples/ocr

PROGRAMS += ocr-serve ocr-golden ocr-plates ocr-load
ocr-serve_MAIN  := $(OCR)/serve_main.c
ocr-golden_MAIN := $(OCR)/golden_main.c
ocr-plates_MAIN := $(OCR)/plates_main.c
ocr-load_MAIN   := $(OCR)/load_main.c

# Asked once, and only when something is to be built, as the Makefile does.
OCR_CFLAGS = $(eval OCR_CFLAGS := $$(shell pkg-config --cflags tesseract lept freetype2))$(OCR_CFLAGS)
OCR_DRAW   = $(eval OCR_DRAW := $$(shell pkg-config --libs lept freetype2))$(OCR_DRAW)
OCR_READ   = $(eval OCR_READ := $$(shell pkg-config --libs tesseract lept))$(OCR_READ)

$(OCR)_CFLAGS   = $(OCR_CFLAGS)
ocr-serve_LIBS  = $(OCR_READ)
ocr-golden_LIBS = $(OCR_READ)
ocr-plates_LIBS = $(OCR_DRAW)
ocr-load_LIBS   = $(OCR_DRAW)

.PHONY: ocr-releases
ocr-releases: $(addprefix $(B)/bin/,ocr-serve ocr-golden ocr-plates) ## lay out the example's releases in build/<variant>/ocr
	@$(OCR)/mk-releases $(B)/bin $(B)/ocr
