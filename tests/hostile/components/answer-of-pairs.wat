;; Describes an artifact with 800,000 pairs of metadata, all of them empty.
(func $head (param i32) (result i32)
  (drop (memory.grow (i32.const 200)))
  (i32.store offset=140 (i32.const 1024) (i32.const 4096))
  (i32.store offset=144 (i32.const 1024) (i32.const 800000))
  (i32.const 1024))
