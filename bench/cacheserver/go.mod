module example.com/cacheserver

go 1.21
