# price
price_SRCS := \
	price/audited.c \
	price/book.c \
	price/cliff.c \
	price/estimate.c \
	price/estimate_json.c \
	price/estimate_table.c \
	price/explain.c \
	price/inputs.c \
	price/load.c \
	price/risk.c \
	price/sheet.c
