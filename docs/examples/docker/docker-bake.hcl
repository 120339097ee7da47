# go-prefetch docker --output .gomod && docker buildx bake
variable "IMAGE" {
  default = "registry.example/app"
}

target "default" {
  context  = "."
  contexts = { gomod = "./.gomod" }
  tags     = ["${IMAGE}:1.0"]
}

# docker buildx bake cached: saves the layers of all stages in the registry, for builders that are new each time.
target "cached" {
  inherits   = ["default"]
  cache-from = ["type=registry,ref=${IMAGE}:cache"]
  cache-to   = ["type=registry,ref=${IMAGE}:cache,mode=max,image-manifest=true"]
}
