module story

go 1.23
