;; Has the body read for its digest again and again.
(import "agent:artifacts/digest@0.2.0" "sha256" (func $sha256 (param i32 i32)))
(func $put (param $args i32) (result i32)
  (loop (call $sha256 (i32.load offset=8 (local.get $args)) (i32.const 1024)) (br 0))
  unreachable)
