;; Describes an artifact with 1,000 pairs of metadata that are all the same megabyte: the
;; component has it once, the host would copy it two thousand times.
(func $head (param i32) (result i32)
  (local $at i32)
  (drop (memory.grow (i32.const 40)))
  (local.set $at (i32.const 4096))
  (loop
    (i32.store (local.get $at) (i32.const 65536))
    (i32.store offset=4 (local.get $at) (i32.const 1048576))
    (i32.store offset=8 (local.get $at) (i32.const 65536))
    (i32.store offset=12 (local.get $at) (i32.const 1048576))
    (local.set $at (i32.add (local.get $at) (i32.const 16)))
    (br_if 0 (i32.lt_u (local.get $at) (i32.const 20096))))
  (i32.store offset=140 (i32.const 1024) (i32.const 4096))
  (i32.store offset=144 (i32.const 1024) (i32.const 1000))
  (i32.const 1024))
